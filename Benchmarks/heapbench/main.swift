print("heapbench")
