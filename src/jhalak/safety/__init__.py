"""Safety: what keeps people unharmed, by people who answer for it."""
