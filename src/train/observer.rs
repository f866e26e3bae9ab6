//! Observers of a run.

use std::ops::ControlFlow;

use super::{Event, Preparation, Trainer};
use crate::error::Result;

/// An observer of a run, which may end it or write checkpoints.
pub trait Observer {
    /// Called after each event of the preparation of a run.
    ///
    /// # Errors
    /// An error ends the preparation, and the run does not begin.
    fn prepare(&mut self, _: Preparation) -> Result<()> {
        Ok(())
    }

    /// Called before the first minibatch; [`Trainer::resume`] belongs here.
    ///
    /// # Errors
    /// An error ends the run.
    fn start(&mut self, _: &mut Trainer<'_>) -> Result<()> {
        Ok(())
    }

    /// Called after each event; [`ControlFlow::Break`] ends the run.
    ///
    /// # Errors
    /// An error ends the run.
    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>>;
}

/// An observer that does nothing.
impl Observer for () {
    fn observe(&mut self, _: &mut Trainer<'_>, _: Event) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}

/// Two observers, called in this order.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn prepare(&mut self, preparation: Preparation) -> Result<()> {
        self.0.prepare(preparation)?;
        self.1.prepare(preparation)
    }

    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        self.0.start(trainer)?;
        self.1.start(trainer)
    }

    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        let (first, second) = (self.0.observe(trainer, event)?, self.1.observe(trainer, event)?);
        Ok(if first.is_break() { first } else { second })
    }
}

/// An observer, or none.
impl<O: Observer> Observer for Option<O> {
    fn prepare(&mut self, preparation: Preparation) -> Result<()> {
        self.as_mut().map_or(Ok(()), |observer| observer.prepare(preparation))
    }

    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        self.as_mut().map_or(Ok(()), |observer| observer.start(trainer))
    }

    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        self.as_mut().map_or(Ok(ControlFlow::Continue(())), |observer| observer.observe(trainer, event))
    }
}

/// Reports the events of runs that are a preparation to the observer of the run itself.
pub(super) struct Preparing<'a> {
    pub preparation: Preparation,
    pub observer: &'a mut dyn Observer,
}

impl Observer for Preparing<'_> {
    fn observe(&mut self, _: &mut Trainer<'_>, _: Event) -> Result<ControlFlow<()>> {
        self.observer.prepare(self.preparation).map(ControlFlow::Continue)
    }
}
