//! System calls that `rustix` does not offer. The only place that may lift the ban on `unsafe`; it has
//! not needed to so far.
