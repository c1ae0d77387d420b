/* weir.h - everything a module may use, and nothing else. */
#ifndef WEIR_H
#define WEIR_H

#include "verdict.h"
#include "channel.h"
#include "option.h"
#include "variable.h"
#include "middleware.h"
#include "table.h"
#include "counter.h"
#include "observer.h"
#include "extension.h"
#include "limiter.h"

#endif
