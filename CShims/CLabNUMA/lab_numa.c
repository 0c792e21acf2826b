#include "lab_numa.h"
