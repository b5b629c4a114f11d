"""What is measured beyond single inequalities: SAC's runs, rivals, diagnostics, environments, scale."""
