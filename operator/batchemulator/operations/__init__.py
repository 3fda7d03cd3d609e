"""The data-plane operations, each a function from a `Call` to a `Response`, and the table that routes to them."""
