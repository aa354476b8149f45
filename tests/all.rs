//! Everything that is tested from outside, on the real binary and the real engine.

mod dockerfile;
