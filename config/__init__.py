"""The project: settings, addresses, server set-up. Knows no app except by name."""
