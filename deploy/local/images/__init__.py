"""Container images without a container engine: written, kept in a registry, pulled by real names.

`runtime_image.build` makes the model server's image of this host's interpreter, the light packages
of the lock and our code; `registry.push` puts it into a registry that answers for every name;
`torch_stack.prepare` makes the directory that machines mount beside it.
"""
