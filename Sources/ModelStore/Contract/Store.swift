/// Where rows, users, sign-ins and the log live, as one: what a server is given.
///
/// **Atomic.** A write and the log's entries for it are one transaction: both stand or neither does, for
/// writes through these protocols and for those of the database's own shell in another process.
///
/// **Outcomes of a write.** It is committed, with its position or with a receipt by which to wait for that; or it has
/// thrown, and nothing was done; or it has thrown ``StoreError/unknown(_:_:)``, and ``StoreUpkeep/settle(_:deadline:)``
/// finds out. There is no fourth.
///
/// **Isolation.** Nothing is "one at a time": calls run at the same time, and what a write decides on it locks.
///
/// Implementations may block in their own threads, never in the caller's; all calls are safe from any task.
public protocol Store: RowStore, LogStore, IdentityStore, AccountStore, StoreUpkeep {}
