"""Which laws act where, on which unknowns: the record that assembly takes."""
