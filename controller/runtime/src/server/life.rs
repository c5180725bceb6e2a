//! What a connection is doing, and until when it may.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Closed, Limits};
use crate::clock;

/// The state of one connection, shared by its socket, its requests and the server's book.
#[derive(Debug)]
pub(super) struct Life {
    state: Mutex<State>,
    evict: CancellationToken,
}

#[derive(Debug)]
enum State {
    /// Nothing is asked since then (or the handshake runs).
    Idle(Instant),
    /// The first byte of a request's head came then.
    Head(Instant),
    /// So many requests are being answered.
    Busy(usize),
}

/// Held while a request is being answered.
#[derive(Debug)]
pub(super) struct Busy(Arc<Life>);

impl Life {
    pub(super) fn new() -> Self {
        let state = Mutex::new(State::Idle(clock::instant()));
        Self { state, evict: CancellationToken::new() }
    }

    /// The handshake is done.
    pub(super) fn opened(&self) {
        *self.lock() = State::Idle(clock::instant());
    }

    /// A request has arrived.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        let mut state = self.lock();
        *state = match *state {
            State::Busy(count) => State::Busy(count + 1),
            State::Idle(_) | State::Head(_) => State::Busy(1),
        };
        Busy(Arc::clone(self))
    }

    /// Until when the connection may go on so, and what it is then. A request in hand has a
    /// deadline of its own.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(Instant, Closed)> {
        match *self.lock() {
            State::Idle(since) => Some((since + limits.idle, Closed::Idle)),
            State::Head(since) => Some((since + limits.header, Closed::SlowHeader)),
            State::Busy(_) => None,
        }
    }

    /// Since when it could be closed without harm to a request.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        match *self.lock() {
            State::Idle(since) | State::Head(since) if !self.evict.is_cancelled() => Some(since),
            _ => None,
        }
    }

    /// Asks the connection to make room.
    pub(super) fn evict(&self) {
        self.evict.cancel();
    }

    /// Completes when the connection is asked to make room. Cancel-safe.
    pub(super) async fn evicted(&self) {
        self.evict.cancelled().await;
    }

    fn received(&self) {
        let mut state = self.lock();
        if let State::Idle(_) = *state {
            *state = State::Head(clock::instant());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        *state = match *state {
            State::Busy(count) if count > 1 => State::Busy(count - 1),
            _ => State::Idle(clock::instant()),
        };
    }
}

/// A socket that notes when a request begins.
#[derive(Debug)]
pub(super) struct Watched<T> {
    io: T,
    life: Arc<Life>,
}

impl<T> Watched<T> {
    pub(super) fn new(io: T, life: Arc<Life>) -> Self {
        Self { io, life }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.life.received();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
