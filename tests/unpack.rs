//! Unpacking archives: nothing leaves the target, a failure changes nothing, and what is good comes out as it went in.

mod bombs;
mod damage;
mod lab;
mod links;
mod names;
mod owners;
mod properties;
mod targets;
mod types;
