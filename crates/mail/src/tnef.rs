//! Reads winmail.dat (TNEF).
