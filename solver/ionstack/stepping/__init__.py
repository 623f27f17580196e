"""Steps through time: their order and size, limits, events, what is solved beside them."""
