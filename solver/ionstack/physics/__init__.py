"""Laws and functions of physics: no mesh, no files, no MPI."""
