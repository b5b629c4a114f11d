"""Section 2 of the paper: graphs, networked MDPs of every kind, localized policies, checks of what a user gives."""
