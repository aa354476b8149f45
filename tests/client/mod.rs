//! The client: the real program at a shell, against the real agent and engine.

mod asking;
mod containers;
mod cron;
mod files;
mod images;
mod papers;
mod restarts;
mod upload;
