"""Right-hand sides: functions of scalars and local kernels that never see an exact solution."""
