"""Files: arrays, rows, records and text, whole or not at all; where they come from; how two trees differ."""
