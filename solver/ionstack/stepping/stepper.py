"""Time stepping: BDF of variable order on stored amounts, error control, breakpoints.

The scheme differences amounts, s(u_new) - s(u_old), so particles are conserved to
round-off whatever the step. Implicit Euler starts it, and starts it again at every
breakpoint of the protocol, where the slope of the voltages jumps. From then on the
order is the one that allows the longest step. A step that fails or is too inaccurate
is rejected and repeated with a smaller one. A step that goes beyond a limit of the
protocol, or beyond a random event, is repeated such that it ends there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.circuits.circuit import Circuit, Settings
from ionstack.errors import NumericsError
from ionstack.output.checkpoint import Memory
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.protocols.crossing import Crossing
from ionstack.protocols.drive import Drive
from ionstack.protocols.surroundings import Surroundings
from ionstack.randomness.random_events import Happening, RandomEvents
from ionstack.solving.network import CircuitScheme, Network, driven_contacts, plain_circuit_of
from ionstack.solving.newton import Newton, NewtonResult, Outcome, Scheme
from ionstack.stepping import step_size
from ionstack.stepping.companions import Companion, Companions
from ionstack.stepping.course import Course
from ionstack.stepping.history import HIGHEST, Differences, History, Point
from ionstack.stepping.states import Meter, State, StepControl
from ionstack.stepping.step_size import Errors
from ionstack.stepping.thermal_noise import ThermalNoise
from ionstack.stepping.traveller import Traveller
from ionstack.stepping.watch import Watch

Floats = NDArray[np.float64]
# Order of steps of fixed size: the start by implicit Euler spoils a higher one.
FIXED_ORDER = 2
# Changes beyond this multiple of the change of the voltages are those of a jump.
JUMP = 3.0
# What a stepper remembers as it is, besides its history.
_REMEMBERED = ("_step", "_ceiling", "_fresh", "accepted", "rejected", "newton_steps")


class Stepper(Traveller):
    """Runs a system along a drive and yields the accepted states."""

    def __init__(
        self,
        system: System,
        newton: Newton,
        drive: Drive,
        control: StepControl,
        network: Network | None = None,
        meter: Meter | None = None,
        surround: Callable[[Surroundings], None] | None = None,
        companions: Sequence[Companion] = (),
        events: RandomEvents | None = None,
        noise: ThermalNoise | None = None,
    ) -> None:
        """Run `drive`; `surround` brings the system into other surroundings.

        The `companions` are solved in turn with the unknowns of the system. Without `events`
        nothing happens at random; without a `network` the drive gives the voltages of all
        contacts that do not float.
        """
        super().__init__()
        self.system, self.newton, self.drive, self.control = system, newton, drive, control
        self.network = network or Network(system, plain_circuit_of(system))
        order = None if network else driven_contacts(system)
        self.course = Course(drive.intervals, self.network.circuit, order)
        self._watch, self._surround = Watch(self.course, meter), surround
        self.companions = Companions(newton, companions)
        self.events, self.noise = events or RandomEvents((), 0), noise or ThermalNoise(system)
        self._history: History
        self._step = self._ceiling = np.inf
        self._fresh = True
        self._given: tuple[Floats, Floats] | None = None
        self._state: State
        self._before = self._surroundings

    def _to_the_end_of_interval(self) -> Iterator[State]:
        end = self.course.interval.duration
        while self._history.last.time < end and not self.course.over:
            state, self._step = self._advance(self._step, end)
            yield state

    def memory(self) -> Memory:
        """What `recall` needs to go on after the last accepted state."""
        history, newton = self._history.memory(), self.newton.memory()
        plain = {name: getattr(self, name) for name in _REMEMBERED} | {
            "course": self.course.memory(),
            "margins": self._watch.memory(),
            "surroundings": [asdict(one) for one in (self._surroundings, self._before)],
            "history": history.plain,
            "newton": newton.plain,
        }
        others, noise = self.companions.memory(), self.noise.memory()
        plain |= {"companions": others.plain, "noise": noise.plain, "events": self.events.memory()}
        return Memory(plain, {**history.owned, **newton.owned, **others.owned, **noise.owned})

    def recall(self, memory: Memory) -> None:
        """Stand where another stepper of this drive stood (collective)."""
        plain = memory.plain
        for name in _REMEMBERED:
            setattr(self, name, plain[name])
        self.course.recall(plain["course"])
        self._watch.recall(plain["margins"])
        self.events.recall(plain["events"])
        now, self._before = (Surroundings(**one) for one in plain["surroundings"])
        if self._surround is not None:
            self._surround(now)
        self.companions.recall(Memory(plain["companions"], memory.owned))
        self.noise.recall(Memory(plain["noise"], memory.owned))
        self.newton.recall(Memory(plain["newton"], memory.owned))
        history = Memory(plain["history"], memory.owned)
        self._history = History.recalled(history, self._highest)
        self.system.unknowns.setArray(self._history.last.unknowns)
        self.system.refresh_ghosts()
        self._state = self._start(self._history.last)
        self._resumed = True

    def begin_with(self, circuit: Floats, currents: Floats) -> None:
        """Begin with given unknowns of the circuit and currents [A] into all contacts."""
        self._given = circuit, currents

    @property
    def circuit(self) -> Circuit:
        """The circuit around the devices."""
        return self.network.circuit

    @property
    def _surroundings(self) -> Surroundings:
        return self.system.equations.model.surroundings

    @property
    def _highest(self) -> int:
        return HIGHEST if self.control.fixed is None else FIXED_ORDER

    def _begin(self) -> None:
        """Start the clock of the next interval at the last point."""
        last = self._history.last
        self.course.begin(last.time, last.circuit)
        self._fresh, self._before = True, self._surroundings
        self._history.restart(replace(last, time=0.0))
        # After a jump the state before says nothing.
        self._watch.begin(None if self.course.abrupt else self._state)
        self._step = min(self._step, self.course.first_step(self.control))
        self.noise.renew(0.0)

    def _initial(self) -> State:
        settings = self.course.settings(0.0)
        n_contacts = len(self.network.circuit.contacts)
        given, currents = self._given or (self.network.circuit.rest, np.zeros(n_contacts))
        circuit = self.network.with_held(given, settings)
        voltages = self.network.voltages(circuit)
        self.companions.start()
        zero = np.zeros(self.system.layout.n_owned)
        evaluation = self.newton.evaluate(Scheme(zero, 0.0, 0.0, voltages))
        charge = self._charge(evaluation.metal_charge, circuit, settings)
        unknowns = self.system.unknowns.getArray().copy()
        first = Point(0.0, unknowns, evaluation.amounts, charge, circuit)
        self._history = History(first, self._highest)
        self.events.begin(circuit)
        self._state = replace(self._start(first), currents=currents)
        return self._state

    def _start(self, point: Point) -> State:
        """A state that no step led to."""
        voltages = self.network.voltages(point.circuit)
        return State(
            time=self.course.time(point.time),
            step=0.0,
            voltages=voltages,
            currents=np.zeros(len(voltages)),
            unknowns=point.unknowns,
            amounts=point.amounts,
            newton=0,
            rejected=0,
            at_breakpoint=True,
            charges=point.charge[: len(voltages)] * ELEMENTARY_CHARGE,
            applied=self.course.settings(point.time).value,
            circuit=point.circuit,
            passed=self.course.passed,
        )

    def _advance(self, step: float, end: float) -> tuple[State, float]:
        """Take one accepted step towards `end`; return it and the next step size."""
        rejected = tries = 0
        while True:
            stop = self.noise.stop(end)
            size, last = (step, False) if tries else self._fit(step, stop)
            time = stop if last else self._history.last.time + size
            result, errors, found = self._try(time, rejected, time == end)
            self.newton_steps += result.iterations
            if found is not None:
                crossing = self._watch.crossing(found[1], tries)
                event = self.events.next(size, found[0].circuit, tries, self.course.awaited)
                share = min((one.share for one in (crossing, event) if one), default=1.0)
                # What jumps at once is reached by no step, however small.
                if self._smallest < share * size < size:
                    step, tries = share * size, tries + 1
                    continue
                state = self._accept(*found, crossing, event)
                self._ceiling = step_size.ceiling(self._ceiling, size, result.feedback)
                return state, self._next(step if last else size, errors)
            rejected += 1
            self.rejected += 1
            error = errors.get(self._history.order, np.inf)
            step = step_size.shrunk(self._history, size, errors, again=rejected > 1)
            self._ceiling = step if result.outcome is Outcome.COUPLING else self._ceiling
            if step < self._smallest:
                raise NumericsError(self._failure(time, size, result, error))

    @property
    def _smallest(self) -> float:
        """Smallest step [s]; none that the digits of the time do not tell."""
        return max(self.control.smallest, 2.0 * float(np.spacing(self._history.last.time)))

    def _fit(self, step: float, end: float) -> tuple[float, bool]:
        """Step size that reaches `end` without leaving a sliver, and whether it does."""
        size = min(step, self.control.largest, self.course.interval.largest)
        evenly = self.control.fixed is not None
        return step_size.fitted(size, end - self._history.last.time, evenly)

    def _next(self, size: float, errors: Errors) -> float:
        """Step after an accepted one."""
        if self.control.fixed is not None:
            return self.control.fixed
        return min(step_size.grown(self._history, size, errors), self._ceiling)

    def _try(
        self, time: float, rejected: int, last: bool
    ) -> tuple[NewtonResult, Errors, tuple[Point, State] | None]:
        """Newton's result, errors by order (none unless solved), point and state if accurate."""
        history, unknowns = self._history, self.system.unknowns
        if self._surround is not None:
            self._surround(self.course.interval.around(self._before, time))
        unknowns.setArray(history.unknowns_at(time))
        self.system.refresh_ghosts()
        old = history.differences(time)
        size = time - history.last.time
        settings = self.course.settings(time)
        circuit = CircuitScheme(self.network, settings, old.charge, history.circuit_at(time))
        voltages = self.network.voltages(circuit.unknowns)
        amounts = old.amounts - size * self.noise.rates
        scheme = Scheme(amounts, old.lead, size, voltages, circuit)
        result = self.companions.solve(scheme)
        if result.outcome is not Outcome.CONVERGED:
            return result, {}, None
        scheme = replace(scheme, voltages=result.voltages)
        evaluation = self.newton.evaluate(scheme)
        charge = self._charge(evaluation.metal_charge, result.circuit, settings)
        scheme = replace(scheme, circuit=replace(circuit, unknowns=result.circuit))
        errors = self._errors(scheme, time, evaluation.amounts, charge)
        if errors.get(history.order, 0.0) > 1.0:
            # Euler's rule damps what follows a jump and is faster than the smallest step.
            if not self.course.abrupt or step_size.SHRINK * size >= self.control.smallest:
                return result, errors, None
            self._fresh = True
        if self._fresh:
            errors = {}
        new = unknowns.getArray().copy()
        outflow = self._sum(evaluation.outflow)
        point = Point(time, new, evaluation.amounts, charge, result.circuit)
        return result, errors, self._found(point, scheme, old, outflow, (rejected, last, result))

    def _found(
        self,
        point: Point,
        scheme: Scheme,
        old: Differences,
        outflow: Floats,
        how: tuple[int, bool, NewtonResult],
    ) -> tuple[Point, State]:
        """The point with all circuit unknowns, and the state at it."""
        size, count = scheme.step, len(outflow)
        rate = old.lead * point.charge[:count] + old.charge[:count] - outflow
        currents = rate * (ELEMENTARY_CHARGE / size)
        assert scheme.circuit is not None
        circuit, left = self.network.solved(point.circuit, scheme.circuit, old.lead, size, currents)
        through = self.network.source_currents(circuit)
        rejected, last, result = how
        state = State(
            time=self.course.time(point.time),
            step=size,
            voltages=scheme.voltages,
            currents=currents,
            unknowns=point.unknowns,
            amounts=point.amounts,
            newton=result.iterations,
            rejected=rejected,
            at_breakpoint=last,
            charges=point.charge[:count] * ELEMENTARY_CHARGE,
            applied=scheme.circuit.settings.value,
            circuit=circuit,
            passed=self.course.passed + through * size,
            kirchhoff=left,
            order=self._history.order,
            interval=self.course.begun,
            following=self.course.begun,
        )
        return replace(point, circuit=circuit), state

    def _accept(
        self, point: Point, state: State, crossing: Crossing | None, event: Happening | None
    ) -> State:
        """Let later steps build on a point; return its state, marked if a limit is reached."""
        self._state = state
        jumps = self.companions.accept()
        after, told = self.events.accept(state.step, point.circuit, event)
        jumps = self.noise.accept(point.time) or jumps
        if jumps or (event is not None and event.changes):
            self._history.restart(point.with_states(after))
            self._fresh = self.course.abrupt = True
        elif self._jumped(point):
            self._history.restart(point)
        else:
            self._history.add(point)
        self.accepted += 1
        self._watch.accept(state)
        limit = crossing.limit if crossing else self.course.awaited.get(event.name if event else "")
        state = replace(state, events=told)
        if limit is not None:
            state = replace(state, at_breakpoint=True, ended=limit, following=limit.following)
        self.course.accept(state)
        return state

    def _jumped(self, point: Point) -> bool:
        """Whether the first step after a breakpoint left the state before far behind.

        That state then says nothing about the slope: the scheme starts again after it.
        """
        fresh, self._fresh = self._fresh, False
        if not fresh or self.control.fixed is not None:
            return False
        last = self._history.last
        largest = float(np.abs(point.unknowns - last.unknowns).max(initial=0.0))
        if self.system.comm.size > 1:
            largest = self.system.comm.allreduce(largest, MPI.MAX)
        change = point.circuit - last.circuit
        if self.course.abrupt:
            stored = float(np.abs(change[self.network.circuit.stores]).max(initial=0.0))
            return max(largest, stored) > JUMP * self.control.tolerance
        swing = float(np.abs(self.network.voltages(change)).max(initial=0.0))
        return largest > self.control.tolerance + JUMP * swing

    def _charge(self, metal: Floats, circuit: Floats, settings: Settings) -> Floats:
        """Charges of the metals [e], then what the circuit stores."""
        return np.concatenate([self._sum(metal), self.network.stored(circuit, settings)])

    def _sum(self, local: Floats) -> Floats:
        if self.system.comm.size == 1:
            return local
        return np.asarray(self.system.comm.allreduce(local))

    def _errors(self, scheme: Scheme, time: float, amounts: Floats, charge: Floats) -> Errors:
        """Local errors over the tolerance by order, none where steps are given."""
        if self.control.fixed is not None:
            return {}
        found = {}
        # Usually the first step of an interval has no estimate. Where something jumps it
        # counts by how far the stored charges move.
        first = self._fresh and self.course.abrupt
        for order in (1,) if first else self._history.orders():
            defects = self._history.defects(order, time, amounts, charge)
            largest = self.newton.response(scheme, defects.amounts, defects.charge)
            found[order] = largest / self.control.tolerance
        return found

    def _failure(self, time: float, size: float, result: NewtonResult, error: float) -> str:
        names = self.system.equations.volumes.contacts
        levels = ", ".join(
            f"{name} {value:.4g} V" for name, value in zip(names, result.voltages, strict=True)
        )
        reason = result.trouble or result.outcome.value
        if result.outcome is Outcome.CONVERGED:
            reason = f"the local error stays {error:.3g} times the tolerance"
        when = self.course.time(time)
        return (
            f"step rejected down to {size:.3g} s at t = {when:.9g} s ({levels}): {reason}; "
            f"last Newton update {result.update:.3g} V, largest {self.system.worst_unknown()}"
        )
