"""Certificates: an authority, its leaves, and (later) their rotation.

Imports no program and no Kubernetes client. Main path: `keys.new_authority` makes a CA,
`Authority.issue` signs a leaf that never outlives it.
"""
