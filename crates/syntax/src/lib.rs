//! .conf, .bb, .bbclass, .inc and .bbappend files: lossless trees and statements.
