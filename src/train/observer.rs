//! Who watches a run.

use std::ops::ControlFlow;

use super::{Event, Preparation, Trainer};
use crate::error::Result;

/// Watches a run, and may end it or write checkpoints.
pub trait Observer {
    /// After each event of the work that comes before the run.
    ///
    /// # Errors
    /// Those end the work, and the run does not begin.
    fn prepare(&mut self, _: Preparation) -> Result<()> {
        Ok(())
    }

    /// Before the first minibatch; [`Trainer::resume`] belongs here.
    ///
    /// # Errors
    /// Those end the run.
    fn start(&mut self, _: &mut Trainer<'_>) -> Result<()> {
        Ok(())
    }

    /// After each event.
    ///
    /// # Errors
    /// Those end the run.
    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>>;
}

/// Watches nothing.
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

/// Watches runs that are a preparation, on behalf of the observer of the run itself.
pub(super) struct Preparing<'a> {
    pub preparation: Preparation,
    pub observer: &'a mut dyn Observer,
}

impl Observer for Preparing<'_> {
    fn observe(&mut self, _: &mut Trainer<'_>, _: Event) -> Result<ControlFlow<()>> {
        self.observer.prepare(self.preparation).map(ControlFlow::Continue)
    }
}
