"""Linear and Newton solves, equilibrium, steady states, small signals."""
