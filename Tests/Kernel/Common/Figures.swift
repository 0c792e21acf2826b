/// Measures what the kernel's basic operations take.
func measure() {}
