#include "lab_malloc.h"

// `SizeClass` as tables, for the paths where a formula costs too much. A test compares the two.

// ---- The class of a request ----

/// The requests of the class `number` whose blocks have `size` bytes; the next smaller ones have `size - step`.
#define CLASS(number, size, step) [(size) - (step) + 1 ... (size)] = (number)

/// Eight classes of a doubling, the first with the number `first`: `base` is the size below them.
#define DOUBLING(first, base)                                                                                          \
  CLASS(first, (base) / 8 * 9, (base) / 8), CLASS((first) + 1, (base) / 8 * 10, (base) / 8),                           \
      CLASS((first) + 2, (base) / 8 * 11, (base) / 8), CLASS((first) + 3, (base) / 8 * 12, (base) / 8),                \
      CLASS((first) + 4, (base) / 8 * 13, (base) / 8), CLASS((first) + 5, (base) / 8 * 14, (base) / 8),                \
      CLASS((first) + 6, (base) / 8 * 15, (base) / 8), CLASS((first) + 7, (base) / 8 * 16, (base) / 8)

const uint8_t lab_malloc_size_classes[LAB_MALLOC_SIZE_CLASSES_MAXIMUM + 1] = {
    // Up to 128 bytes a class has the size of eight.
    CLASS(1, 16, 16),  CLASS(2, 32, 16),   CLASS(3, 48, 16),   CLASS(4, 64, 16),   CLASS(5, 80, 16),
    CLASS(6, 96, 16),  CLASS(7, 112, 16),  CLASS(8, 128, 16),  DOUBLING(9, 128),   DOUBLING(17, 256),
    DOUBLING(25, 512),
};

// ---- The size of a class's blocks ----

/// The eight sizes of a doubling, in bytes.
#define SIZES(base)                                                                                                    \
  (base) / 8 * 9, (base) / 8 * 10, (base) / 8 * 11, (base) / 8 * 12, (base) / 8 * 13, (base) / 8 * 14,                 \
      (base) / 8 * 15, (base) / 8 * 16

const uint16_t lab_malloc_block_sizes[LAB_MALLOC_SIZE_CLASS_COUNT] = {
    // Class 0 serves requests of 0 bytes.
    16, 16, 32, 48, 64, 80, 96, 112, 128,
    SIZES(128), SIZES(256), SIZES(512), SIZES(1024), SIZES(2048), SIZES(4096), SIZES(8192), SIZES(16384),
};
