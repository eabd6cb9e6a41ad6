"""Pictures and sound: probing, encoding and what is done to finished films."""
