//! [`AddressSlots`]: how many connections each address has.
//!
//! The table holds an entry per address that has a connection, so the limit on all connections bounds it too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct AddressSlots {
    per_address_max: AtomicU32,
    taken: Mutex<HashMap<IpAddr, u32>>,
}

/// A connection's place in the table, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<AddressSlots>,
    address: IpAddr,
}

impl AddressSlots {
    pub(super) fn new(per_address_max: u32) -> Arc<Self> {
        Arc::new(Self { per_address_max: AtomicU32::new(per_address_max), taken: Mutex::default() })
    }

    /// From now on an address may have that many; those that have more keep them.
    pub(super) fn set_max(&self, per_address_max: u32) {
        self.per_address_max.store(per_address_max, Ordering::Relaxed);
    }

    /// A place for one more connection from `address`, if it may have one.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Slot> {
        let address = network_of(address);
        let mut taken = self.lock();
        let count = taken.get(&address).copied().unwrap_or(0);
        if count >= self.per_address_max.load(Ordering::Relaxed) {
            return None;
        }
        taken.insert(address, count + 1);
        Some(Slot { slots: Arc::clone(self), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        if let Entry::Occupied(mut entry) = taken.entry(self.address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Whoever has one IPv6 address has the other 2^64 of its network as well.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_limit_and_leaves_nothing_behind() {
        let slots = AddressSlots::new(2);
        let take = |address: &str| slots.take(address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let second = take("::ffff:192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none());
        let other = take("192.0.2.2").unwrap();
        drop(first);
        let third = take("192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none());
        drop((second, third, other));
        assert!(slots.lock().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let slots = AddressSlots::new(1);
        let take = |address: &str| slots.take(address.parse().unwrap());
        let _first = take("2001:db8::1").unwrap();
        assert!(take("2001:db8::ffff:2").is_none());
        assert!(take("2001:db8:0:1::1").is_some());
    }
}
