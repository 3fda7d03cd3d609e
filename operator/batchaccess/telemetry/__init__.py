"""What the operator tells about itself: metrics, logs and the small HTTP server that shows them.

The only package that imports prometheus_client. It reads no clock: every time and duration comes from the caller.
"""
