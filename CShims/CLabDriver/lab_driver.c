#include "lab_driver.h"
