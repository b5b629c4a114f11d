"""What two claims or experiments measure."""
