#include "lab_system.h"
