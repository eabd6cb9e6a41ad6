"""Files beside the orders: uploads, direct download links, and the balance."""
