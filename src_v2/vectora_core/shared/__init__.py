"""What all steps share: items, storage, configuration, events."""
