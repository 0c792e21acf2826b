#include "lab_clock.h"
