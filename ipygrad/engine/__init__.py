"""The differentiation engine: Variables, Functions, and the functions of the library."""
