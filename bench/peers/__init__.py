"""What else could run the same networks here. A peer that is not installed is a row that says so."""

from bench.peers.tile_peers import TILE_PEERS, TilePeer, tile_rows

__all__ = ["TILE_PEERS", "TilePeer", "tile_rows"]
