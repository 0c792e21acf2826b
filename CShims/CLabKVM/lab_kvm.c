#include "lab_kvm.h"
