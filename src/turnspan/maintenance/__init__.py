"""What keeps a store small and lawful: erasure, retention, rebuilding from journals."""
