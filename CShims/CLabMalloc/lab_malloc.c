#include "lab_malloc.h"
