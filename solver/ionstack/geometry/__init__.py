"""From a stack of films to control volumes: Gmsh, DOLFINx's mesh, boxes around its vertices."""
