"""How dates are written on every page: 2 Mar 2026."""
