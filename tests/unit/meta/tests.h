#ifndef META_TESTS_H
#define META_TESTS_H

int meta_wire_tests(void);
int meta_group_tests(void);
int meta_failure_tests(void);
int meta_snapshot_tests(void);
int meta_membership_tests(void);
int meta_disk_tests(void);
int meta_hostile_tests(void);
int meta_torrent_tests(void);

#endif
