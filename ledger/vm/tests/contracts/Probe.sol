// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Writes one slot when it is made, and ends when it is told to.
contract Child {
    uint256 public mark = 7;

    function end() external {
        selfdestruct(payable(msg.sender));
    }
}

/// Does on request what a machine has to bear.
contract Probe {
    error Custom(uint256 number);
    event Said(uint256 indexed number, bytes data);

    function spin() external pure {
        while (true) {}
    }

    function sum(uint256 n) external pure returns (uint256 total) {
        for (uint256 i = 1; i <= n; i++) {
            total += i;
        }
    }

    function grow(uint256 at) external pure {
        assembly {
            mstore(at, 1)
        }
    }

    function give(uint256 length) external pure {
        assembly {
            return(0, length)
        }
    }

    function undo(uint256 length) external pure {
        assembly {
            revert(0, length)
        }
    }

    function say(string calldata why) external pure {
        revert(why);
    }

    function custom() external pure {
        revert Custom(9);
    }

    function shout(uint256 count, bytes calldata data) external {
        for (uint256 i = 0; i < count; i++) {
            emit Said(i, data);
        }
    }

    function store(uint256 slot, uint256 value) external {
        assembly {
            sstore(slot, value)
        }
    }

    function load(uint256 slot) external view returns (uint256 value) {
        assembly {
            value := sload(slot)
        }
    }

    function pass(uint256 slot, uint256 value) external returns (uint256 seen) {
        assembly {
            tstore(slot, value)
            seen := tload(slot)
        }
    }

    function ask(address at, bytes calldata input) external view returns (bool done, bytes memory output) {
        (done, output) = at.staticcall(input);
    }

    function descend() external returns (uint256) {
        try this.descend() returns (uint256 depth) {
            return depth + 1;
        } catch {
            return 1;
        }
    }

    function make(bytes32 salt) external returns (address) {
        return address(new Child{salt: salt}());
    }

    function fleeting(bytes32 salt) external returns (address) {
        Child child = new Child{salt: salt}();
        child.end();
        return address(child);
    }

    function end(Child child) external {
        child.end();
    }

    function surroundings()
        external
        view
        returns (uint256, uint256, uint256, uint256, bytes32, address, address, uint256, address, uint256)
    {
        return (
            block.chainid,
            block.number,
            block.timestamp,
            block.prevrandao,
            blockhash(block.number - 1),
            msg.sender,
            tx.origin,
            tx.gasprice,
            block.coinbase,
            block.basefee
        );
    }
}
