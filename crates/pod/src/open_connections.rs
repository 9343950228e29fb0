use std::sync::Arc;

use tokio::sync::watch;

use crate::{Port, port::PerPort};

/// Counts the connections that are open.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenConnections {
    counts: Arc<watch::Sender<PerPort<usize>>>,
}

/// One open connection, while it is there.
#[derive(Debug)]
pub(crate) struct Open {
    port: Port,
    connections: OpenConnections,
}

impl OpenConnections {
    pub(crate) fn enter(&self, port: Port) -> Open {
        self.counts.send_modify(|counts| {
            let count = counts.of_mut(port);
            *count = count.saturating_add(1);
        });
        Open {
            port,
            connections: self.clone(),
        }
    }

    pub(crate) fn count(&self, port: Port) -> usize {
        *self.counts.borrow().of(port)
    }

    /// Returns when there are none.
    pub(crate) async fn none(&self) {
        let none =
            |counts: &PerPort<usize>| Port::ALL.into_iter().all(|port| *counts.of(port) == 0);
        // The sender is here: it can't be gone.
        let _ = self.counts.subscribe().wait_for(none).await;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.counts.send_modify(|counts| {
            let count = counts.of_mut(self.port);
            *count = count.saturating_sub(1);
        });
    }
}
