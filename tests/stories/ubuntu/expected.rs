//! The points that the world's sources are. Each was reckoned by hand from what `world` plays: `@now` is the time of the run,
//! `@-11h` that of the source.

pub(super) const EXPECTED: &str = "
autopkgtest_queue_size,arch=amd64,context=ubuntu,instance=production,release=noble count=12 @now
autopkgtest_queue_size,arch=arm64,context=ubuntu,instance=production,release=noble count=0 @now
autopkgtest_queue_size,arch=riscv64,context=ubuntu,instance=production,release=tenacious count=3 @now
autopkgtest_queue_size,arch=amd64,context=huge,instance=production,release=noble count=2 @now
autopkgtest_queue_size,arch=s390x,context=ppa,instance=staging,release=jammy count=7 @now
autopkgtest_running,arch=amd64,instance=production,release=noble count=3 @now
autopkgtest_running,arch=arm64,instance=production,release=noble count=1 @now
autopkgtest_running,arch=s390x,instance=staging,release=jammy count=1 @now

britney_last_run_age,release=trusty run_age=75 @now
britney_last_run_age,release=jammy run_age=26 @now
britney_last_run_age,release=noble run_age=3 @now
britney_last_run_age,release=tenacious run_age=1 @now
britney_last_run_duration,release=trusty run_duration=47 @now
britney_last_run_duration,release=jammy run_duration=47 @now
britney_last_run_duration,release=noble run_duration=47 @now
britney_last_run_duration,release=tenacious run_duration=47 @now
update_excuses_stats,release=tenacious backlog=50,median_age=40,not_considered=20,total=30,valid_candidates=10 @-11h
update_excuses_stats,release=tenacious backlog=51,median_age=41,not_considered=21,total=31,valid_candidates=11 @-1h
update_excuses_by_team_stats,release=tenacious,team=desktop-packages age=5,count=2 @now
update_excuses_by_team_stats,release=tenacious,team=foundations-bugs age=0,count=0 @now
update_excuses_by_team_stats,release=tenacious,team=ubuntu-server age=0,count=0 @now

command_not_found_age,release=jammy cnf_age=1.25,out_of_date=true @now
command_not_found_age,release=noble cnf_age=0.25,out_of_date=false @now
command_not_found_age,release=tenacious cnf_age=2.00,out_of_date=true @now

launchpad_team_members,count_type=members,team=motu count=10 @now
launchpad_team_members,count_type=members,team=ubuntumembers count=11 @now
launchpad_team_members,count_type=members,team=ubuntu-archive count=12 @now
launchpad_team_members,count_type=members,team=ubuntu-core-dev count=13 @now
launchpad_team_members,count_type=members,team=ubuntu-dev count=14 @now
launchpad_team_members,count_type=members,team=ubuntu-developer-members count=15 @now
launchpad_team_members,count_type=members,team=ubuntu-release count=16 @now
launchpad_team_members,count_type=members,team=ubuntu-sru count=17 @now
launchpad_team_members,count_type=members,team=ubuntu-sru-developers count=18 @now
launchpad_team_members,count_type=members,team=ubuntu-uploaders count=19 @now
launchpad_team_members,count_type=participants,team=motu count=100 @now
launchpad_team_members,count_type=participants,team=ubuntumembers count=101 @now
launchpad_team_members,count_type=participants,team=ubuntu-archive count=102 @now
launchpad_team_members,count_type=participants,team=ubuntu-core-dev count=103 @now
launchpad_team_members,count_type=participants,team=ubuntu-dev count=104 @now
launchpad_team_members,count_type=participants,team=ubuntu-developer-members count=105 @now
launchpad_team_members,count_type=participants,team=ubuntu-release count=106 @now
launchpad_team_members,count_type=participants,team=ubuntu-sru count=107 @now
launchpad_team_members,count_type=participants,team=ubuntu-sru-developers count=108 @now
launchpad_team_members,count_type=participants,team=ubuntu-uploaders count=109 @now

daily_image_details,architecture=amd64,current_or_pending=current,flavor=ubuntu,image_type=live,release=tenacious age=2,size=6123456789 @now
daily_image_details,architecture=amd64,current_or_pending=pending,flavor=ubuntu,image_type=live,release=tenacious age=1,size=6123456790 @now
daily_image_details,architecture=amd64,current_or_pending=current,flavor=kubuntu,image_type=live,release=tenacious age=1,size=4000000000 @now
daily_image_details,architecture=arm64+largemem,current_or_pending=current,flavor=ubuntu-server,image_type=live,release=noble age=3,size=3000000001 @now
daily_image_details,architecture=amd64,current_or_pending=current,flavor=ubuntu,image_type=live,release=noble age=10,size=5000000000 @now
daily_image_details,architecture=amd64,current_or_pending=current,flavor=ubuntustudio,image_type=dvd,release=jammy age=1,size=4500000000 @now

distro_rls_bug_tasks,release=jammy,tag=incoming,team_name=desktop count=2 @now
distro_rls_bug_tasks,release=jammy,tag=incoming,team_name=foundations count=1 @now
distro_rls_bug_tasks,release=jammy,tag=tracking,team_name=server count=1 @now
distro_rls_bug_tasks,release=noble,tag=tracking,team_name=foundations count=1 @now
distro_rls_bug_tasks,release=tenacious,tag=tracking,team_name=kernel count=1 @now

sponsoring_queue_stats,report=core average_age=7,count=1,oldest=7 @now
sponsoring_queue_stats,report=desktop average_age=4,count=2,oldest=7 @now
sponsoring_queue_stats,report=sponsoring average_age=7,count=3,oldest=12 @now

nbs_stats,release=tenacious removable=1,total=170 @-10h
nbs_stats,release=tenacious removable=2,total=171 @-1h
component_mismatch_stats,action=promotion,pocket=release,release=tenacious,type=source count=16 @-2h
component_mismatch_stats,action=promotion,pocket=release,release=tenacious,type=binary count=29 @-2h
component_mismatch_stats,action=demotion,pocket=release,release=tenacious,type=source count=22 @-2h
component_mismatch_stats,action=demotion,pocket=release,release=tenacious,type=binary count=85 @-2h
component_mismatch_stats,action=promotion,pocket=proposed,release=tenacious,type=source count=38 @-2h
component_mismatch_stats,action=promotion,pocket=proposed,release=tenacious,type=binary count=93 @-2h
component_mismatch_stats,action=demotion,pocket=proposed,release=tenacious,type=source count=12 @-2h
component_mismatch_stats,action=demotion,pocket=proposed,release=tenacious,type=binary count=129 @-2h
uninst_stats,arch=amd64,release=tenacious count=1204 @-3h
uninst_stats,arch=arm64,release=tenacious count=0 @-3h
uninst_stats,arch=riscv64,release=tenacious count=31 @-3h
outdate_stats,arch=amd64,release=tenacious count=0 @-4h
outdate_stats,arch=arm64,release=tenacious count=5 @-4h
outdate_stats,arch=riscv64,release=tenacious count=0 @-4h
priority_mismatch_stats,arch=amd64,release=tenacious count=2 @-5h
priority_mismatch_stats,arch=arm64,release=tenacious count=1 @-5h
priority_mismatch_stats,arch=riscv64,release=tenacious count=0 @-5h
ubuntu_archive_reviews count=3 @now
ubuntu_archive_bugs,type=subscribed count=257 @now
ubuntu_archive_bugs,type=assigned count=3 @now

ubuntu_queue_size,devel=False,release=trusty,status=Unapproved count=0 @now
ubuntu_queue_size,devel=False,release=trusty,status=New count=0 @now
ubuntu_queue_size,devel=False,release=jammy,status=Unapproved count=1 @now
ubuntu_queue_size,devel=False,release=jammy,status=New count=0 @now
ubuntu_queue_size,devel=False,release=noble,status=Unapproved count=3 @now
ubuntu_queue_size,devel=False,release=noble,status=New count=1 @now
ubuntu_queue_size,devel=True,release=tenacious,status=Unapproved count=1 @now
ubuntu_queue_size,devel=True,release=tenacious,status=New count=3 @now
queue_ages,devel=False,release=trusty,status=Unapproved oldest_age_in_days=0,ten_day_backlog_count=0 @now
queue_ages,devel=False,release=trusty,status=New oldest_age_in_days=0,ten_day_backlog_count=0 @now
queue_ages,devel=False,release=jammy,status=Unapproved oldest_age_in_days=2,ten_day_backlog_count=0 @now
queue_ages,devel=False,release=jammy,status=New oldest_age_in_days=0,ten_day_backlog_count=0 @now
queue_ages,devel=False,release=noble,status=Unapproved oldest_age_in_days=20,ten_day_backlog_count=2 @now
queue_ages,devel=False,release=noble,status=New oldest_age_in_days=1,ten_day_backlog_count=0 @now
queue_ages,devel=True,release=tenacious,status=Unapproved oldest_age_in_days=0,ten_day_backlog_count=0 @now
queue_ages,devel=True,release=tenacious,status=New oldest_age_in_days=30,ten_day_backlog_count=2 @now
ubuntu_new_queue_size,devel=False,release=trusty,type=source count=0 @now
ubuntu_new_queue_size,devel=False,release=trusty,type=binary count=0 @now
ubuntu_new_queue_size,devel=False,release=trusty,type=sync count=0 @now
ubuntu_new_queue_size,devel=False,release=jammy,type=source count=0 @now
ubuntu_new_queue_size,devel=False,release=jammy,type=binary count=0 @now
ubuntu_new_queue_size,devel=False,release=jammy,type=sync count=0 @now
ubuntu_new_queue_size,devel=False,release=noble,type=source count=1 @now
ubuntu_new_queue_size,devel=False,release=noble,type=binary count=1 @now
ubuntu_new_queue_size,devel=False,release=noble,type=sync count=0 @now
ubuntu_new_queue_size,devel=True,release=tenacious,type=source count=1 @now
ubuntu_new_queue_size,devel=True,release=tenacious,type=binary count=1 @now
ubuntu_new_queue_size,devel=True,release=tenacious,type=sync count=1 @now

versions_script_stats,category=uptodate,report=desktop,series=devel count=120 @now
versions_script_stats,category=outdated,report=desktop,series=devel count=7 @now
versions_script_stats,category=total,report=not in debian,series=devel count=3 @now
";
