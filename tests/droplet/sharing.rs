//! Who has the droplet: many tests at once, or one alone.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::machine::Droplet;
use crate::{boot, install};

/// Booted when the first test asks for it. When that fails, every test says so at once.
static DROPLET: LazyLock<Droplet> = LazyLock::new(|| {
    let droplet = boot::boot();
    install::install(&droplet);
    droplet
});

static TURN: RwLock<()> = RwLock::new(());

/// The droplet beside other tests.
pub struct Shared {
    droplet: &'static Droplet,
    _turn: RwLockReadGuard<'static, ()>,
}

/// The droplet without other tests. In the end the agent is as it was installed, also when the test fails.
pub struct Alone {
    droplet: &'static Droplet,
    _turn: RwLockWriteGuard<'static, ()>,
}

/// The droplet, for a test that leaves the agent and the system's services running and uses names of its own. Once in a
/// test: a second one would wait for ever when somebody waits for [`droplet_alone`] in between.
pub fn droplet() -> Shared {
    let turn = TURN.read().unwrap_or_else(PoisonError::into_inner);
    Shared {
        droplet: &DROPLET,
        _turn: turn,
    }
}

/// The droplet, for a test during which others would fail.
pub fn droplet_alone() -> Alone {
    let turn = TURN.write().unwrap_or_else(PoisonError::into_inner);
    Alone {
        droplet: &DROPLET,
        _turn: turn,
    }
}

impl Alone {
    /// Gives the agent's unit other settings until the test ends; they count from its next start on.
    pub fn change_unit(&self, settings: &str) {
        install::change_unit(self.droplet, settings);
    }
}

impl Deref for Shared {
    type Target = Droplet;

    fn deref(&self) -> &Droplet {
        self.droplet
    }
}

impl Deref for Alone {
    type Target = Droplet;

    fn deref(&self) -> &Droplet {
        self.droplet
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let restored = catch_unwind(AssertUnwindSafe(|| install::restore(self.droplet)));
        // A second panic while the first is on its way would end the whole program.
        if let (Err(panic), false) = (restored, std::thread::panicking()) {
            resume_unwind(panic);
        }
    }
}
