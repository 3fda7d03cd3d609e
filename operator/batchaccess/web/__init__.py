"""The read-only status page: what Kubernetes holds of connections, pools and policies, for people with a browser.

It shows the stored statuses and nothing else, so that it never disagrees with kubectl. It changes nothing.
"""
