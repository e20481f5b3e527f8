"""What lies in OUT: the folder and its lock, batches, journal, retractions, the access log, and the one durable writer."""
