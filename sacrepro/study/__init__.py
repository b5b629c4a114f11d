"""The study of one paper: claims, experiments, drawings and the report."""
