// DurablePromises
