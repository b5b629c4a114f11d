"""A network of the user's own, as a file describes it: its graph, its names, its kernels by table or by formula."""
