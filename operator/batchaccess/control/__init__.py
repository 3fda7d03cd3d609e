"""What runs the sweeps: one loop per connection, wake-ups by events, statuses of policies and connections."""
